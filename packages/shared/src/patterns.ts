/** The patterns of the contract that others than the API check by; a test proves them equal. How long a text may be is in LIMITS. */

export const WORKER_ID = /^worker-[0-9]{3,6}-kind$/;
export const PROBLEM_GLOB = /^[A-Za-z0-9_.:/@+=,~*?-]+$/;
export const BACKEND_TYPE = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;
