// What send.ts uses of Node, in the place of @types/node.
declare module "node:process" {
  const process: { env: Record<string, string | undefined> };
  export default process;
}
declare module "node:crypto" {
  export function createHash(algorithm: string): Hash;
  interface Hash {
    update(text: string): Hash;
    digest(encoding: "hex"): string;
  }
}
declare const Buffer: { byteLength(text: string): number };
