/** Loops that make a load, and what is said about the samples they give. */

/** Calls `work(k)` from `inFlight` loops until `seconds` are over or it was called `count` times. */
export async function closedLoop({ inFlight, seconds = Infinity, count = Infinity }, work) {
  const began = performance.now();
  const deadline = began + seconds * 1000;
  let begun = 0;
  let ops = 0;
  await Promise.all(Array.from({ length: inFlight }, async () => {
    while (begun < count && performance.now() < deadline) {
      await work(begun++);
      ops += 1;
    }
  }));
  return { ops, seconds: (performance.now() - began) / 1000 };
}

/** The least value that at least the share `p` of `values` does not exceed. */
export function percentile(values, p) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(sorted.length * p) - 1)] ?? NaN;
}

export function median(values) {
  const sorted = Float64Array.from(values).sort();
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

export function summary(values) {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}
