// The official openai client against dsvl-server: what it streams, repeats, gives up and understands as an error.
//   node tests/server/client.mjs PROGRAM SOURCE_DIRECTORY FOLDER_WITH_NODE_MODULES
import { createRequire } from "node:module";
import { Server, ask, check, dataUri, endless, finish, skip, until } from "./support.mjs";

const [program, source, modules] = process.argv.slice(2);
let OpenAI;
try {
  OpenAI = createRequire(`${modules}/`)("openai");
} catch {
  skip("the openai npm client is not there, and npm could not bring it");
  process.exit(0);
}
const model = `${source}/examples/models/tiny-vl`;
const server = await Server.start(program, "-m", model, "--threads", "2", "--sessions", "2", "--queue", "4");
const client = new OpenAI({ baseURL: server.url + "/v1", apiKey: "none" });
const messages = ask("Which bar is the tallest?", dataUri(`${model}/demo/000.png`));
const asked = { model: "tiny-vl", messages };
const heavy = { model: "tiny-vl", messages: ask("Describe the images.", ...Array.from({ length: 8 }, (_, i) => dataUri(`${model}/demo/0${20 + i}.png`))), ...endless, max_tokens: 400 };

check("it lists the model", (await client.models.list()).data[0].id === "tiny-vl");
const whole = await client.chat.completions.create(asked);
check("it reads an answer", whole.choices[0].message.content === "The green bar.", whole);

let text = "", usage;
for await (const chunk of await client.chat.completions.create({ ...asked, stream: true, stream_options: { include_usage: true } })) {
  text += chunk.choices[0]?.delta?.content ?? "";
  usage = chunk.usage ?? usage;
}
check("it reads a stream with its usage", text === "The green bar." && usage.completion_tokens > 2, [text, usage]);
const last = await client.chat.completions.stream(asked).finalContent();
check("its stream helper puts the answer together", last === "The green bar.", last);

const failure = async (call) => { try { await call(); } catch (error) { return error; } };
const bad = await failure(() => client.chat.completions.create({ ...asked, temperature: 9 }));
check("an error is its BadRequestError, with the field", bad instanceof OpenAI.BadRequestError && bad.param === "temperature", String(bad));
const none = await failure(() => client.chat.completions.create({ ...asked, model: "gpt-4o" }));
check("another model is its NotFoundError", none instanceof OpenAI.NotFoundError, String(none));
const inside = await failure(async () => { for await (const _ of await client.chat.completions.create({ ...asked, messages: ask("What?", "data:image/png;base64,AAAA"), stream: true })); });
check("an error in a stream is its APIError", inside instanceof OpenAI.APIError && /picture|PNG|image/i.test(inside.message), String(inside));

const cancelled = 'dsvl_answers_total{finish="cancelled"}';
let before = await server.metric(cancelled);
const stream = await client.chat.completions.create({ ...heavy, stream: true });
for await (const _ of stream) break;
check("a stream that is broken off stops computing", (await server.idle()) && (await server.metric(cancelled)) === before + 1);

before = await server.metric(cancelled);
const gone = await failure(() => client.chat.completions.create({ ...heavy, n: 2 }, { timeout: 40, maxRetries: 2 }));
check("a time that is too short is its timeout", gone instanceof OpenAI.APIConnectionTimeoutError, String(gone));
check("and what it gave up, three times, stopped computing", await server.idle());

const busy = Array.from({ length: 12 }, () => client.chat.completions.create({ ...asked, ...endless, max_tokens: 300 }, { maxRetries: 0 }).then((a) => a.choices[0].finish_reason, (e) => e));
const ends = await Promise.all(busy);
check("overload is its RateLimitError", ends.some((e) => e instanceof OpenAI.RateLimitError) && ends.some((e) => e === "length"), ends.map(String));
const patient = await Promise.all(Array.from({ length: 8 }, () => client.chat.completions.create(asked, { maxRetries: 5 }).then((a) => a.choices[0].message.content, String)));
check("with its retries all are answered", patient.every((a) => a === "The green bar."), patient);
await server.stop();
process.exit(finish("openai client"));
