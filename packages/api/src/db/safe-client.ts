/**
 * A client whose making never fails. An address may name files of certificates, which are read anew for each connection, so that
 * renewed ones count; pg reads them in the constructor, where the pool may be in a turn of its own: an error there would end the process.
 */
import pg from 'pg';

export class SafeClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    try {
      super(config);
    } catch (error) {
      super();
      const failure = error instanceof Error ? error : new Error(String(error));
      // The pool gives a callback, and needs its answer after the call.
      this.connect = ((answer?: (error: Error) => void) => {
        if (answer === undefined) return Promise.reject(failure);
        setImmediate(answer, failure);
        return undefined;
      }) as typeof this.connect;
    }
  }
}
