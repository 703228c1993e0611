import { Pulses } from '../src/heartbeat/pulse.js';
const p = new Pulses();
const t0 = performance.now();
const x = p.open({ apiUrl: 'http://127.0.0.1:1', identity: { workerId: 'a', session: 'b' }, leaseMs: 30000, intervalMs: 5000, renewedAt: performance.now() }, { answered() {}, directed() {}, failed(e) { console.log('failed', e, performance.now() - t0); }, over(r) { console.log('over', r); } });
if (process.argv[2]) await new Promise((r) => setTimeout(r, Number(process.argv[2])));
console.log('closing');
await x.close();
console.log('closed', performance.now() - t0);
