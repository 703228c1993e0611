/** The ids of workers, as the contract has them. */
export const WORKER_ID = /^worker-[0-9]{3,6}-kind$/;
