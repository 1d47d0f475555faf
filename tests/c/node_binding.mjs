// Tests of the Node binding in examples/node.
//   node node_binding.mjs FOLDER_OF_THE_BINDING SOURCE_DIR
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import test from "node:test";

const [binding, source] = process.argv.slice(2);
const { DsvlError, Model, plan, structs, version } = await import(`${binding}/dsvl.mjs`);
const koffi = createRequire(`${binding}/`)("koffi");
const path = `${source}/examples/models/tiny-vl`, picture = `${path}/demo/000.png`;
const question = "Which bar is the tallest?", green = "The green bar.";
const refused = (code, words) => (error) =>
  error instanceof DsvlError && error.code === code && (!words || error.message.includes(words));

test("sizes and offsets are the frozen ones", () => {
  const layout = readFileSync(`${source}/tests/c/layout.c`, "utf8");
  let compared = 0;
  for (const [, name, size] of layout.matchAll(/^  SIZE\((\w+), (\d+)\);/gm))
    if (structs[name]) assert.equal(koffi.sizeof(structs[name]), +size, name), ++compared;
  assert.equal(compared, Object.keys(structs).length);
  for (const [, name, field, at] of layout.matchAll(/^  FIELD\((\w+), (\w+), (\d+)\);/gm))
    if (structs[name]) assert.equal(koffi.offsetof(structs[name], field), +at, `${name}.${field}`);
});

test("errors come by name", async () => {
  await assert.rejects(Model.load("no/such/model"), refused("not_found", "no/such/model"));
  assert.throws(() => plan(path, { context: -1 }), refused("bad_argument"));
});

test("conversations", async (t) => {
  const model = await Model.load(path), session = model.session();
  t.after(() => (session.close(), model.close()));
  await t.test("versions, sizes and plans", () => {
    assert.match(version(), /^\d+\.\d+\.\d+$/);
    assert.equal(model.info.image_tokens, 64);
    const planned = plan(path, { context: 512 });
    assert.equal(planned.session, planned.decoder + planned.cache + planned.vision);
  });
  await t.test("a stream comes in pieces, and may be left", async () => {
    const pieces = [];
    for await (const text of session.stream(question, picture)) pieces.push(text);
    assert.ok(pieces.length > 1);
    assert.equal(pieces.join(""), green);
    for await (const text of session.stream(question)) assert.ok(green.includes(text), text);
    for await (const _ of session.stream(question)) break;
    session.rewind();
    assert.equal(await session.answer(question, picture), green);
  });
  await t.test("the event loop goes on meanwhile", async () => {
    let turns = 0;
    const timer = setInterval(() => ++turns, 0);
    session.rewind();
    await session.answer("Describe the image.", readFileSync(picture));
    clearInterval(timer);
    assert.ok(turns > 0);
  });
  await t.test("pictures in memory, as pixels, and parts of them", async () => {
    session.rewind();
    assert.equal(await session.answer(question, readFileSync(picture)), green);
    const pixels = Buffer.alloc(40 * 30 * 3, 200);
    const answer = await session.ask("Describe the image.", [
      { pixels, width: 40, height: 30 }, { picture, region: { x: 10, width: 40, height: 60 } }], { maxTokens: 3 });
    const [first, second] = answer.pictures;
    assert.deepEqual([first.width, first.height, first.tokens], [40, 30, 64]);
    assert.deepEqual(second.region, { x: 10, y: 0, width: 40, height: 60 });
    for await (const _ of answer);
    assert.equal(answer.finish, "length");
    assert.equal(answer.usage.answer_tokens, 3);
    answer.close();
    answer.close();
    const part = await session.ask("?", { pixels, width: 40, height: 30, region: { y: 5, width: 8, height: 9 } });
    assert.deepEqual(part.pictures[0].region, { x: 0, y: 5, width: 8, height: 9 });
    part.close();
    await assert.rejects(session.ask("?", { picture, region: { x: 1 } }), refused("bad_argument", "region"));
    await assert.rejects(session.ask("?", { pixels, width: 41, height: 30 }), RangeError);
    await assert.rejects(session.ask("?", { pixels, width: 40, height: 30, format: "cmyk" }), TypeError);
    await assert.rejects(session.ask("?", "no/such.png"), refused("not_found", "no/such.png"));
  });
  await t.test("yes or no is a probability", async () => {
    session.rewind();
    const { probability, mass } = await session.yesNo("Is there a red bar?", picture);
    assert.ok(probability >= 0 && probability <= 1 && mass > 0 && mass <= 1);
  });
  await t.test("a signal and a time limit end an answer", async () => {
    const stop = new AbortController();
    const answer = await session.ask(question, picture, { signal: stop.signal });
    stop.abort();
    await assert.rejects(async () => { for await (const _ of answer); }, refused("cancelled"));
    assert.equal(answer.finish, "cancelled");
    answer.close();
    await assert.rejects(session.ask(question, picture, { signal: AbortSignal.abort() }), refused("cancelled"));
    await assert.rejects(session.yesNo(question, picture, { signal: AbortSignal.abort() }), refused("cancelled"));
    const late = await session.ask(question, undefined, { timeLimit: 1e-9 });
    for await (const _ of late);
    assert.equal(late.finish, "deadline");
    late.close();
  });
  await t.test("a closed handle is an error", async () => {
    const closed = model.session();
    closed.close();
    closed.close();
    await assert.rejects(closed.ask("?"), refused("bad_argument"));
  });
});
