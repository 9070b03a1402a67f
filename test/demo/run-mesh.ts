// Started by a test, which kills it: runs a mesh and prints the ids of its processes as JSON.
import { startTestMesh } from '../e2e/mesh.ts';

const mesh = await startTestMesh();
await mesh.startTraffic();
console.log(JSON.stringify({ runFolder: mesh.runFolder, processIds: mesh.processIds() }));
