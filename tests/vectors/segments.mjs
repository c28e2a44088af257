// A second implementation of the count, to check segments.json with: node segments.mjs segments.json
import { readFileSync } from "node:fs";

const basic =
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const extended = "\f^{}\\[~]|€";

function count(text) {
  const characters = Array.from(text); // by code points
  const foreign = characters.flatMap((character, index) => ((basic + extended).includes(character) ? [] : [index]));
  const [encoding, single, several] = foreign.length ? ["UCS-2", 70, 67] : ["GSM-7", 160, 153];
  const sizes = characters.map((character) => (foreign.length ? character.length : extended.includes(character) ? 2 : 1));
  const pack = (capacity) =>
    sizes.reduce(
      (used, size) => (used.at(-1) + size > capacity ? [...used, size] : [...used.slice(0, -1), used.at(-1) + size]),
      [0],
    );
  const [capacity, used] = pack(single).length === 1 ? [single, pack(single)] : [several, pack(several)];
  const units = capacity * (used.length - 1) + used.at(-1);
  return [encoding, units, used.length, capacity - used.at(-1), foreign.join(",")];
}

for (const { text } of JSON.parse(readFileSync(process.argv[2], "utf8")).vectors) {
  console.log(count(text).join(" "));
}
