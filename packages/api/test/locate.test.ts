import { expect } from 'chai';
import { OperationTree, type Located } from '../src/http/locate.js';
import { Problem } from '../src/http/problem.js';

function located(operationId: string): Located {
  return { expressRoute: '', openApiRoute: '', schema: { operationId } };
}

describe('finding the operation of a request', () => {
  const tree = new OperationTree();
  for (const [method, path, id] of [
    ['get', '/', 'root'], ['get', '/tasks', 'list'], ['post', '/tasks', 'create'], ['get', '/tasks/stats', 'stats'],
    ['get', '/tasks/{id}', 'get'], ['get', '/tasks/{id}/logs', 'logs'], ['post', '/tasks/batch/{name}/run', 'run'],
  ] as const) tree.add(method, path, located(id));
  const find = (method: string, path: string): [string | undefined, Record<string, string>] => {
    const { located: { schema }, pathParams } = tree.find(method, path);
    return [schema.operationId, pathParams];
  };
  const problem = (method: string, path: string): Problem => {
    try {
      tree.find(method, path);
    } catch (error) {
      if (error instanceof Problem) return error;
      throw error;
    }
    throw new Error(`${method} ${path} was found`);
  };

  it('prefers what is written out to a parameter, and comes back where that leads nowhere', () => {
    expect(find('GET', '/')).to.deep.equal(['root', {}]);
    expect(find('GET', '/tasks/stats')).to.deep.equal(['stats', {}]);
    expect(find('GET', '/tasks/7')).to.deep.equal(['get', { id: '7' }]);
    expect(find('GET', '/tasks/batch')).to.deep.equal(['get', { id: 'batch' }]);
    expect(find('GET', '/tasks/batch/logs')).to.deep.equal(['logs', { id: 'batch' }]);
  });

  it('decodes parameters, and takes one slash at the end', () => {
    expect(find('GET', '/tasks/a%20b%2Fc/')).to.deep.equal(['get', { id: 'a b/c' }]);
    expect(() => tree.find('GET', '/tasks/%E0%A4%A')).to.throw(URIError);
  });

  it('tells unknown paths from unknown methods', () => {
    for (const path of ['/tasks/', '/nowhere', '/tasks/7/logs/more', '/tasks//logs', '']) {
      if (path === '/tasks/') expect(find('GET', path)[0]).to.equal('list');
      else expect(problem('GET', path).code, path).to.equal('path_not_found');
    }
    expect(problem('PUT', '/tasks')).to.deep.include({ code: 'method_not_allowed', headers: { Allow: 'GET, POST' } });
  });

  it('wants one name for a parameter of one place', () => {
    expect(() => { tree.add('get', '/tasks/{other}/attempts', located('attempts')); }).to.throw(/named id elsewhere/);
  });
});
