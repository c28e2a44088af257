// Validates values by JSON Schemas with ajv, strictly: standard input has both, the answer says what is wrong with each.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { modules, files, cases } = JSON.parse(readFileSync(0, "utf8"));
const require = createRequire(`${modules}/package.json`);
const { Ajv2020 } = require("ajv/dist/2020");
const addFormats = require("ajv-formats");

const known = {};
for (const [name, schema] of Object.entries(files)) {
  known[name] = new Ajv2020({ strict: true, allowUnionTypes: true }); // one each: no file may need another
  addFormats(known[name]);
  known[name].addSchema(schema, "file");
  known[name].getSchema("file");
}
const verdicts = cases.map(([name, pointer, value]) => {
  const validate = known[name].getSchema(`file${pointer}`);
  return validate(value) ? null : known[name].errorsText(validate.errors);
});
console.log(JSON.stringify(verdicts));
