/** Processes of ours that answer to messages: workers of the benchmark, and peers. Each ends when this process does. */
import { fork } from 'node:child_process';
import { once } from 'node:events';

const STOP_MS = 5_000;

export class Child {
  #process;
  #listeners = new Set();
  #ended;

  /** Starts the module `file`; `execPath` is the Node that runs it. */
  constructor(file, args, { undo, execPath = process.execPath, env = {}, stdout = 'inherit' }) {
    this.#process = fork(file, args, {
      execPath, execArgv: [], stdio: ['ignore', stdout, 'inherit', 'ipc'],
      env: { PATH: process.env.PATH, HOME: process.env.HOME, NODE_ENV: 'production', ...env },
    });
    this.#process.on('message', (message) => {
      for (const listener of this.#listeners) listener(message, null);
    });
    this.#ended = once(this.#process, 'close').then(([code, signal]) => {
      const error = new Error(`${file} ended by ${signal ?? `exit code ${code}`}`);
      for (const listener of this.#listeners) listener(null, error);
      return error;
    });
    this.stop = undo.add(() => this.#stop());
  }

  get pid() {
    return this.#process.pid;
  }

  send(message) {
    this.#process.send(message);
  }

  /** The first message of which `matches` is true. @throws where the process ends before */
  wait(matches) {
    return new Promise((resolve, reject) => {
      const listener = (message, error) => {
        if (error === null && !matches(message)) return;
        this.#listeners.delete(listener);
        if (error === null) resolve(message);
        else reject(error);
      };
      this.#listeners.add(listener);
      if (this.#process.exitCode !== null || this.#process.signalCode !== null) this.#ended.then((error) => listener(null, error));
    });
  }

  /** Calls `listener` with every message, until the function returned is called. */
  listen(listener) {
    const each = (message) => {
      if (message !== null) listener(message);
    };
    this.#listeners.add(each);
    return () => this.#listeners.delete(each);
  }

  async #stop() {
    this.#listeners.clear();
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill('SIGTERM');
    const kill = setTimeout(() => this.#process.kill('SIGKILL'), STOP_MS);
    await this.#ended;
    clearTimeout(kill);
  }
}
