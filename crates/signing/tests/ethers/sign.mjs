// Reads lines of typed data in JSON, signs each with the key of the first argument as a wallet would, and writes lines of
// { hash, signature, address, publicKey }. Nothing of Surety is used here.
import { createInterface } from "node:readline";
import { SigningKey, TypedDataEncoder, Wallet } from "ethers";

const wallet = new Wallet(process.argv[2]);
const publicKey = SigningKey.computePublicKey(wallet.privateKey, true);

for await (const line of createInterface({ input: process.stdin })) {
  const data = JSON.parse(line);
  const { EIP712Domain, ...types } = data.types;
  const declared = EIP712Domain.map((field) => field.name).join();
  if (declared !== "name,version,chainId,verifyingContract") throw new Error(`domain fields ${declared}`);
  if (typeof data.domain.chainId !== "number") throw new Error("chainId is no number");
  const encoder = TypedDataEncoder.from(types);
  if (encoder.primaryType !== data.primaryType) throw new Error(`primary type ${encoder.primaryType}`);
  const answer = {
    hash: TypedDataEncoder.hash(data.domain, types, data.message),
    signature: await wallet.signTypedData(data.domain, types, data.message),
    address: wallet.address.toLowerCase(),
    publicKey,
  };
  process.stdout.write(JSON.stringify(answer) + "\n");
}
