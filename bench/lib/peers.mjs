export async function preparePeers() { return null; }
