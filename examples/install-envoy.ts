// Prints the path of an Envoy binary: node examples/install-envoy.ts [VERSION]. Installs it first where needed.
import { DemoError } from '../server/demo/demo-error.ts';
import { findEnvoy } from '../server/demo/envoy.ts';

const version = process.argv[2];
try {
  const path = await findEnvoy({ ...(version === undefined ? {} : { version }), log: (line) => console.error(line) });
  console.log(path);
} catch (error) {
  if (!(error instanceof DemoError)) throw error;
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}
