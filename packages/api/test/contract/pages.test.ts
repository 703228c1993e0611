/** The pages for people who read about one thing: every call they show, against openapi.yaml. */
import { expect } from 'chai';
import { itIsTrue, readPage } from '../support/pages.js';

for (const name of ['docs/recipes.md', 'docs/protocol.md']) {
  const page = readPage(name);

  describe(name, () => {
    it('shows calls', () => {
      expect(page.blocks.flatMap(({ calls }) => calls)).to.have.length.greaterThan(5);
    });

    itIsTrue(page);
  });
}
