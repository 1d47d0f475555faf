// Tests of dsvl-server as its clients meet it: raw HTTP for every promise and every limit.
//   node tests/server/server.mjs PROGRAM SOURCE_DIRECTORY
import { Server, ask, check, dataUri, endless, events, finish, skip, sleep, textOf, until } from "./support.mjs";

const [program, source] = process.argv.slice(2);
const model = `${source}/examples/models/tiny-vl`;
const bars = dataUri(`${model}/demo/000.png`);
const tallest = ask("Which bar is the tallest?", bars);
const start = (...options) => Server.start(program, "-m", model, "--threads", "2", ...options);
const code = (reply) => reply.json?.error?.code;

async function answers(server) {
  const whole = await server.chat({ messages: tallest });
  check("a picture and a question give the model's answer", whole.json?.choices?.[0].message.content === "The green bar.", whole.body);
  check("its finish_reason is stop", whole.json?.choices?.[0].finish_reason === "stop");
  check("usage adds up", whole.json?.usage.total_tokens === whole.json?.usage.prompt_tokens + whole.json?.usage.completion_tokens && whole.json?.usage.completion_tokens > 2, whole.json?.usage);
  check("what the model saw is said", whole.json?.dsvl?.seen?.[0].tokens === 64, whole.json?.dsvl);
  const behind = await server.chat({ messages: [{ role: "user", content: [tallest[0].content[1], tallest[0].content[0]] }] });
  check("a picture behind the text is the same question", behind.json?.choices[0].message.content === "The green bar.", behind.body);
  check("and is not computed again", behind.json?.usage.prompt_tokens_details.cached_tokens > 64, behind.json?.usage);
  const turns = await server.chat({ messages: [...tallest, { role: "assistant", content: "The green bar." }, { role: "user", content: "How many bars are there?" }] });
  check("a conversation goes on", /4/.test(turns.json?.choices[0].message.content), turns.body);
  const system = await server.chat({ messages: [{ role: "system", content: "You are terse." }, ...tallest], max_tokens: 2 });
  check("a system text is taken, and max_tokens ends an answer", system.json?.choices[0].finish_reason === "length" && system.json?.usage.completion_tokens === 2, system.body);
  const stop = await server.chat({ messages: tallest, stop: [" bar"] });
  check("a stop text ends an answer and is no part of it", stop.json?.choices[0].message.content === "The green" && stop.json?.choices[0].finish_reason === "stop", stop.body);
}

async function streams(server) {
  const call = await server.stream({ messages: tallest, stream_options: { include_usage: true } }).begun;
  await call.over;
  check("a stream is text/event-stream", call.headers["content-type"].startsWith("text/event-stream"), call.headers);
  check("a stream says the same as a whole answer", textOf(call.said) === "The green bar.", call.said);
  check("its last event ends with a blank line", call.said.endsWith("data: [DONE]\n\n"), call.said.slice(-40));
  const said = events(call.said);
  check("each choice has one finish_reason", said.filter((e) => e.choices[0]?.finish_reason === "stop").length === 1);
  check("usage comes last, without choices", said.at(-1).usage?.completion_tokens > 2 && said.at(-1).choices.length === 0, said.at(-1));
  check("no event is empty", !/^data: *$/m.test(call.said));
  const damaged = await server.stream({ messages: ask("What?", "data:image/png;base64," + Buffer.from("no picture").toString("base64")) }).begun;
  await damaged.over;
  check("an error in a stream is an event", events(damaged.said).at(-1).error?.type === "invalid_request_error", damaged.said);
}

async function choices(server) {
  const body = { messages: ask("Describe the image.", dataUri(`${model}/demo/002.png`)), n: 3, temperature: 1.5, seed: 7 };
  const first = await server.chat(body), again = await server.chat(body);
  const texts = (reply) => reply.json?.choices.map((c) => c.message.content);
  check("n gives as many choices, in order", first.json?.choices.map((c) => c.index).join() === "0,1,2", first.body);
  check("they differ, and the seed gives the same ones again", new Set(texts(first)).size > 1 && texts(first).join() === texts(again).join(), [texts(first), texts(again)]);
  const probable = await server.chat({ messages: tallest, logprobs: true, top_logprobs: 3, max_tokens: 3 });
  const tokens = probable.json?.choices[0].logprobs.content;
  check("logprobs has each token with the likeliest three", tokens?.length === 3 && tokens.every((t) => t.top_logprobs.length === 3), probable.body);
  check("a greedy token is the likeliest, by the same number", tokens?.every((t) => t.top_logprobs[0].token === t.token && Math.abs(t.top_logprobs[0].logprob - t.logprob) < 1e-6), tokens);
  check("tokens are the answer's text", tokens?.map((t) => t.token).join("").trim() === probable.json?.choices[0].message.content, tokens);
}

async function schemas(server) {
  const format = (schema) => ({ response_format: { type: "json_schema", json_schema: { name: "answer", strict: true, schema } } });
  const schema = { type: "object", properties: { zeta: { enum: ["red", "green"] }, count: { type: "integer", minimum: 0, maximum: 9 } }, required: ["zeta", "count"], additionalProperties: false };
  const held = await server.chat({ messages: tallest, ...format(schema) });
  const said = JSON.parse(held.json?.choices[0].message.content ?? "null");
  check("an answer is held to a schema, in its order", Object.keys(said ?? {}).join() === "zeta,count" && Number.isInteger(said.count), held.body);
  const no = await server.chat({ messages: tallest, ...format({ type: "array", uniqueItems: true }) });
  check("a keyword that is not enforced is 400 and named", no.status === 400 && /uniqueItems/.test(no.json?.error.message) && /response_format/.test(no.json?.error.param), no.body);
  const any = await server.chat({ messages: tallest, response_format: { type: "json_object" }, max_tokens: 200 });
  check("json_object gives JSON", any.json?.choices[0].finish_reason !== "stop" || JSON.parse(any.json.choices[0].message.content) !== undefined, any.body);
}

async function refusals(server) {
  const wrong = [
    ["no JSON", "{", 400, "invalid_json"],
    ["bytes that are not UTF-8", '{"messages": "\xff"}'.replace("\xff", "\ud800"), 400],
    ["a list", [], 400, "invalid_json"],
    ["values a thousand deep", "[".repeat(1000), 400, "invalid_json"],
    ["a million values", `[${"0,".repeat(1e6)}0]`, 400, "invalid_json"],
    ["no messages", {}, 400, "missing_required_parameter"],
    ["an unknown field", { messages: tallest, mirostat: 2 }, 400, "unsupported_parameter"],
    ["tools", { messages: tallest, tools: [{}] }, 400, "unsupported_parameter"],
    ["another model", { messages: tallest, model: "gpt-4o" }, 404, "model_not_found"],
    ["a temperature of 3", { messages: tallest, temperature: 3 }, 400, "invalid_value"],
    ["a temperature in words", { messages: tallest, temperature: "hot" }, 400, "invalid_value"],
    ["n of 100", { messages: tallest, n: 100 }, 400, "invalid_value"],
    ["half a token", { messages: tallest, max_tokens: 0.5 }, 400, "invalid_value"],
    ["a role that is none", { messages: [{ role: "tool", content: "x" }] }, 400, "invalid_value"],
    ["an answer at the end", { messages: [...tallest, { role: "assistant", content: "The" }] }, 400, "invalid_value"],
    ["a part without its picture", { messages: [{ role: "user", content: [{ type: "image_url" }] }] }, 400, "invalid_value"],
    ["a picture elsewhere", { messages: ask("What?", "https://example.com/a.png") }, 400, "invalid_image_url"],
    ["a path", { messages: ask("What?", "file:///etc/passwd") }, 400, "invalid_image_url"],
    ["a bare path", { messages: ask("What?", "/etc/passwd") }, 400, "invalid_image_url"],
    ["no base64", { messages: ask("What?", "data:image/png;base64,@@@@") }, 400, "invalid_image"],
    ["a damaged picture", { messages: ask("What?", bars.slice(0, 400)) }, 400, "bad_file"],
    ["nine pictures", { messages: ask("What?", ...Array(9).fill(bars)) }, 400, "invalid_value"],
    ["a long text", { messages: ask("word ".repeat(2000)) }, 400, "context_length_exceeded"],
    ["a stop text that is none", { messages: tallest, stop: [1] }, 400, "invalid_value"],
  ];
  for (const [name, body, status, want] of wrong) {
    const reply = await server.chat(body);
    check(`${name} is ${status}`, reply.status === status && (!want || code(reply) === want) && reply.json?.error?.message, reply.body);
  }
  const still = await server.chat({ messages: tallest });
  check("after all that it answers as before", still.json?.choices?.[0].message.content === "The green bar.", still.body);
}

async function http(server) {
  check("health", (await server.request("/health")).json?.status === "ok");
  const models = await server.request("/v1/models");
  check("models", models.json?.data?.[0].id === "tiny-vl" && models.json.object === "list", models.body);
  const metrics = await server.request("/metrics");
  check("metrics are Prometheus' text", /^# TYPE dsvl_requests_total counter$/m.test(metrics.body) && /dsvl_first_token_seconds_bucket\{le="\+Inf"\} \d/.test(metrics.body), metrics.body);
  for (const path of ["/nothing", "/page/page.html", "/..%2f..%2fetc/passwd", "/v1/", "/examples"]) {
    const reply = await server.request(path);
    check(`${path} is not there`, reply.status === 404 && code(reply) === "not_found", reply.body);
  }
  check("no path leads out", !/root:/.test(await server.raw("GET /../../../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")));
  const page = await server.request("/");
  check("the page is there, and may load nothing from elsewhere", /<html/.test(page.body) && /default-src 'none'/.test(page.headers["content-security-policy"]), page.headers);
  check("no other site may read", !("access-control-allow-origin" in (await server.request("/v1/models", { headers: { Origin: "http://evil.example" } })).headers));
  const head = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n";
  const first = (reply) => reply.split("\r\n")[0];
  const raw = async (name, bytes, status) => { const reply = await server.raw(bytes); check(name, first(reply).includes(status), reply.slice(0, 300) || "nothing"); };
  await raw("a body without a length is 411", head + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", " 411 ");
  await raw("two lengths are 411", head + "Content-Type: application/json\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", " 411 ");
  await raw("a gigabyte is 413 before it is sent", head + "Content-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n", " 413 ");
  await raw("so it is with Expect", head + "Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 1073741824\r\n\r\n", " 413 ");
  await raw("a form's type is 415", head + "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", " 415 ");
  await raw("another name for this machine is 403", "GET /v1/models HTTP/1.1\r\nHost: evil.example\r\n\r\n", " 403 ");
  await raw("so is a name that begins like loopback's", "GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n\r\n", " 403 ");
  check("a head without an end is cut off", (await server.raw("GET / HTTP/1.1\r\n" + "X-A: b\r\n".repeat(20000))).length < 400);
  check("PUT is refused", [404, 405].includes((await server.request("/v1/chat/completions", { method: "PUT", body: "{}" })).status));
}

/** Streams that leave: the engine is free again at once, whatever it was doing. */
async function leaving(server) {
  await server.idle();
  const before = await server.metric('dsvl_answers_total{finish="cancelled"}');
  const tokens = await server.metric("dsvl_completion_tokens_total");
  const half = server.stream({ messages: ask("Describe the image.", bars), ...endless });
  await half.begun;
  await until(() => textOf(half.said).length > 0);
  half.leave();
  check("who leaves in the middle of an answer is cancelled", await server.idle());
  check("and counted as that", (await server.metric('dsvl_answers_total{finish="cancelled"}')) === before + 1);
  check("before its end", (await server.metric("dsvl_completion_tokens_total")) - tokens < 800);
  const now = await server.metric("dsvl_completion_tokens_total");
  const pictures = Array.from({ length: 8 }, (_, i) => dataUri(`${model}/demo/0${10 + i}.png`));
  const early = server.stream({ messages: ask("Describe the images.", ...pictures), ...endless, max_tokens: 100 });
  await early.begun;
  early.leave();
  check("who leaves while the prompt is read is cancelled", (await server.idle()) && (await server.metric("dsvl_completion_tokens_total")) === now);
}

async function limits() {
  const server = await start("--sessions", "1", "--queue", "1", "--max-pixels", "10000", "--body-mib", "1", "--bodies-mib", "2");
  const big = await server.chat({ messages: tallest });
  check("a picture with too many pixels is 400", big.status === 400 && code(big) === "limit", big.body);
  const body = await server.chat({ messages: ask("x".repeat(2 << 20)) });
  check("a body that is too large is 413", body.status === 413, body.status);
  const half = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n" + "x".repeat(1000);
  await Promise.all(Array.from({ length: 2 }, () => server.raw(half, 200)));
  await Promise.all(Array.from({ length: 2 }, () => server.raw(half, 200)));
  const room = async () => (await server.chat({ messages: ask("Say one."), max_tokens: 1 })).status === 200;
  check("bodies that break off give their room back", await until(room));
  const long = () => server.stream({ messages: ask("Say one two."), ...endless });
  const calls = [long(), long(), long(), long(), long()];
  const begun = await Promise.all(calls.map((call) => call.begun));
  const status = begun.map((call) => call.status);
  check("one is answered, one waits, others are 429", status.includes(200) && status.includes(429), status);
  const refused = begun.find((call) => call.status === 429);
  check("429 says when to come again", +refused?.headers["retry-after"] >= 1, refused?.headers);
  await Promise.all(begun.map((call) => call.over));
  check("those that were taken in are answered whole", begun.every((call) => call.status === 429 || call.said.endsWith("data: [DONE]\n\n")));
  check("SIGTERM ends it with 0", (await server.stop()) === 0, server.errors);
}

async function shares() {
  const server = await start("--sessions", "1", "--queue", "20", "--share", "2");
  const begun = await Promise.all(Array.from({ length: 6 }, () => server.stream({ messages: ask("Say one two."), ...endless }).begun));
  const refused = begun.filter((call) => call.status === 429);
  await Promise.all(begun.map((call) => call.over));
  check("one client has its share, and no more", refused.length >= 1 && refused.every((call) => /share_used/.test(call.said)), begun.map((call) => call.status));
  await server.stop();
}

async function keys(folder) {
  const { writeFileSync, mkdtempSync, symlinkSync, copyFileSync, mkdirSync } = await import("node:fs");
  const place = mkdtempSync(`${folder}/dsvl-server-`);
  writeFileSync(`${place}/keys`, "first-key\n\nsecond-key\n");
  mkdirSync(`${place}/pictures`);
  copyFileSync(`${model}/demo/000.png`, `${place}/pictures/bars.png`);
  symlinkSync("/etc/passwd", `${place}/pictures/link.png`);
  const server = await start("--api-key-file", `${place}/keys`, "--pictures-from", `${place}/pictures`, "--cors", "http://one.example");
  const key = { Authorization: "Bearer second-key" };
  check("without a key it is 401", (await server.request("/v1/models")).status === 401);
  check("a beginning of a key is 401", (await server.request("/v1/models", { headers: { Authorization: "Bearer second-ke" } })).status === 401);
  check("no key is 401 for metrics too", (await server.request("/metrics")).status === 401);
  check("health needs none", (await server.request("/health")).status === 200);
  check("with a key it is 200", (await server.request("/v1/models", { headers: key })).status === 200);
  for (const path of ["bars.png", "file:bars.png", "file://bars.png"]) {
    const reply = await server.chat({ messages: ask("Which bar is the tallest?", path) }, key);
    check(`${path} is below the folder`, reply.json?.choices?.[0].message.content === "The green bar.", reply.body);
  }
  for (const path of ["../keys", "link.png", "/etc/passwd", "nothing.png", "file:///etc/passwd", "."]) {
    const reply = await server.chat({ messages: ask("What?", path) }, key);
    check(`${path} is not`, reply.status === 400 && code(reply) === "invalid_image" && /no such picture/.test(reply.json.error.message), reply.body);
  }
  const one = await server.request("/v1/chat/completions", { method: "OPTIONS", headers: { Origin: "http://one.example", "Access-Control-Request-Headers": "authorization" } });
  check("the one origin may call", one.status === 204 && one.headers["access-control-allow-origin"] === "http://one.example", one.headers);
  await server.stop();
}

async function draining() {
  const server = await start("--sessions", "2", "--seconds", "30");
  const call = server.stream({ messages: ask("Say one two."), ...endless });
  await call.begun;
  await until(() => textOf(call.said).length > 0);
  const ended = server.stop();
  await call.over;
  check("SIGTERM lets an answer end", call.said.endsWith("data: [DONE]\n\n"), call.said.slice(-200));
  check("and the program with 0", (await ended) === 0, server.errors);
  const again = await start("--sessions", "1", "--queue", "30", "--drain-seconds", "0");
  const calls = await Promise.all(Array.from({ length: 8 }, () => again.stream({ messages: ask("Say one two."), ...endless }).begun));
  const stopped = again.stop();
  await Promise.all(calls.map((one) => one.over));
  check("without time to end, answers are cut off with an error", calls.some((one) => /shutting_down/.test(one.said)), calls.map((one) => one.said.slice(-100)));
  check("and the program ends with 0", (await stopped) === 0, again.errors);
}

async function lateness() {
  const server = await start("--sessions", "1", "--queue", "60", "--seconds", "1");
  const replies = await Promise.all(Array.from({ length: 40 }, () => server.chat({ messages: ask("Say one two."), ...endless })));
  const late = replies.filter((reply) => code(reply) === "timeout");
  check("what can not begin in its time is 503, not to be tried again", late.length > 0 && late.every((r) => r.status === 503 && r.headers["x-should-retry"] === "false"), replies.map((r) => r.status).join());
  check("nobody waited much longer", await server.idle());
  await server.stop();
}

const server = await start("--context", "1024");
for (const part of [http, answers, streams, choices, schemas, refusals, leaving]) await part(server);
check("the server ends with 0", (await server.stop()) === 0, server.errors);
for (const part of [limits, shares, draining, lateness]) await part();
await keys(process.env.TMPDIR ?? "/tmp");
process.exit(finish("server"));
