// Load: many clients at once, of whom some leave half-way, some send rubbish and some a gigabyte. Nothing may be lost,
// what the others are told must be what a quiet server tells, and memory must stay flat.
//   node tests/server/load.mjs PROGRAM SOURCE_DIRECTORY [--clients 32] [--requests 640]
import net from "node:net";
import { readFileSync } from "node:fs";
import { Server, ask, check, dataUri, endless, finish, textOf, until } from "./support.mjs";

const [program, source, ...rest] = process.argv.slice(2);
const option = (name, value) => (rest.includes(name) ? +rest[rest.indexOf(name) + 1] : value);
const clients = option("--clients", 32), requests = option("--requests", 640);
const model = `${source}/examples/models/tiny-vl`;
const questions = JSON.parse(readFileSync(`${model}/demo/questions.json`, "utf8"));
const list = (Array.isArray(questions) ? questions : questions.questions).filter((q) => q.image).slice(0, 24);
const bodies = list.map((q) => ({ messages: ask(q.question, dataUri(`${model}/demo/${q.image}`)) }));
const server = await Server.start(program, "-m", model, "--threads", "2", "--sessions", "8", "--queue", "64");

const quiet = [];
for (const body of bodies) quiet.push((await server.chat(body)).json?.choices?.[0].message.content);
check("a quiet server answers all", quiet.every((text) => text), quiet);
const sent = server.resident();

/** A gigabyte, as fast as the server takes it. It is refused, so little of it is ever sent. */
const gigabyte = () => new Promise((done) => {
  let said = "", open = true;
  const block = Buffer.alloc(1 << 20, "x");
  const socket = net.connect(server.port, server.host, () => {
    socket.write("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n");
    let left = 1024;
    const more = () => { while (open && left-- > 0 && socket.write(block)); };
    socket.on("drain", more), more();
  });
  socket.on("data", (data) => (said += data));
  socket.on("error", () => {});
  socket.on("close", () => { open = false; done(said); });
});

const times = [], counts = { answered: 0, left: 0, rubbish: 0, gigabytes: 0, turned: 0 };
let next = 0;
async function client() {
  for (let i = next++; i < requests; i = next++) {
    const kind = (i * 37) % 100, body = bodies[i % bodies.length], began = performance.now();
    if (kind < 10) {
      const call = server.stream({ ...body, ...endless, max_tokens: 300 });
      await call.begun;
      await until(() => call.said.length > 400 || call.status !== 200);
      call.leave(), ++counts.left;
    } else if (kind < 15) {
      const reply = await server.chat(["{", "\0\0", '{"messages": 5}', "[]", '{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:;base64,AAAA"}}]}]}'][i % 5]);
      check("rubbish is 400", reply.status === 400, reply.body), ++counts.rubbish;
    } else if (kind < 16) {
      const said = await gigabyte();
      check("a gigabyte is 413", / 413 /.test(said.split("\r\n")[0]), said.slice(0, 200) || "nothing"), ++counts.gigabytes;
    } else if (i % 2) {
      const reply = await server.chat(body);
      check("an answer under load is that of a quiet server", reply.json?.choices?.[0].message.content === quiet[i % bodies.length], reply.body);
      times.push(performance.now() - began), ++counts.answered;
    } else {
      const call = await server.stream(body).begun;
      await call.over;
      check("a stream under load is that of a quiet server", textOf(call.said) === quiet[i % bodies.length] && call.said.endsWith("data: [DONE]\n\n"), call.said.slice(-300));
      times.push(performance.now() - began), ++counts.answered;
    }
  }
}
const began = performance.now();
await Promise.all(Array.from({ length: clients }, client));
const seconds = (performance.now() - began) / 1000;
check("nothing is left over", await server.idle());
const after = server.resident();
check("memory is flat", after < sent * 1.1 + 24, [sent, after]);
times.sort((a, b) => a - b);
const at = (share) => times[Math.min(times.length - 1, Math.floor(share * times.length))].toFixed(0);
console.log(`load: ${clients} clients, ${requests} requests in ${seconds.toFixed(1)} s ${JSON.stringify(counts)}; p50 ${at(0.5)} ms, p99 ${at(0.99)} ms; resident ${sent.toFixed(0)} -> ${after.toFixed(0)} MiB`);
check("the server ends with 0", (await server.stop()) === 0, server.errors);
process.exit(finish("load"));
