// How much answering together gains: clients at once against the same requests one after another, in turn.
//   node tests/server/throughput.mjs PROGRAM SOURCE_DIRECTORY MODEL [--clients 8] [--tokens 64] [--rounds 2] [--end ID] [--pictures]
import { Server, ask, dataUri } from "./support.mjs";

const [program, source, model, ...rest] = process.argv.slice(2);
const option = (name, value) => (rest.includes(name) ? +rest[rest.indexOf(name) + 1] : value);
const clients = option("--clients", 8), tokens = option("--tokens", 64), rounds = option("--rounds", 2), end = option("--end", 100001);
const server = await Server.start(program, "-m", model, "--sessions", String(clients), "--context", "1024", "--seconds", "3000");
let fresh = 0;
/** No prompt is like one before, nor is a picture, as long as there are no more than 47 requests. */
const body = () => {
  const number = ++fresh, picture = dataUri(`${source}/examples/models/tiny-vl/demo/${String(number % 48).padStart(3, "0")}.png`);
  return { messages: ask(`${number} kites: say something about them.`, ...(rest.includes("--pictures") ? [picture] : [])), max_tokens: tokens, logit_bias: { [end]: -100 } };
};
const one = async () => {
  const reply = await server.chat(body());
  if (reply.json?.usage?.completion_tokens !== tokens) throw new Error(reply.body.slice(0, 300));
};
const timed = async (work) => { const began = performance.now(); await work(); return (performance.now() - began) / 1000; };
await one();
for (let round = 0; round < rounds; ++round) {
  const alone = await timed(async () => { for (let i = 0; i < clients; ++i) await one(); });
  const together = await timed(() => Promise.all(Array.from({ length: clients }, one)));
  console.log(`${clients} answers of ${tokens} tokens: one at a time ${alone.toFixed(1)} s, together ${together.toFixed(1)} s, ${(alone / together).toFixed(2)} x`);
}
await server.stop();
