// What the server's tests share: starting a server, asking it, and counting what was right.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";

let passed = 0, failed = 0;
export function check(name, right, found) {
  if (right) return void ++passed;
  ++failed;
  console.log(`FAILED  ${name}`);
  if (found !== undefined) console.log(`          | ${typeof found === "string" ? found : JSON.stringify(found)}`.slice(0, 600));
}
export const skip = (why) => console.log(`SKIPPED: ${why}`);
/** Prints the sum; the exit code. */
export function finish(what) {
  console.log(`${what}: ${passed} checks passed, ${failed} failed`);
  return failed ? 1 : 0;
}
export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
/** Waits until something is true, for ten seconds at most: machines are slow at times. */
export async function until(is) {
  for (let i = 0; i < 1000; ++i) {
    if (await is()) return true;
    await sleep(10);
  }
  return false;
}

export class Server {
  /** Starts one at a free port, and waits until it says which. */
  static start(program, ...options) {
    const server = new Server();
    server.process = spawn(program, ["--port", "0", ...options], { stdio: ["ignore", "pipe", "pipe"] });
    server.errors = "";
    server.process.stderr.on("data", (data) => (server.errors += data));
    server.exited = new Promise((done) => server.process.on("exit", (code, signal) => done(code ?? signal)));
    return new Promise((done, fail) => {
      let said = "";
      server.process.stdout.on("data", (data) => {
        const at = /at http:\/\/([\d.]+):(\d+)/.exec((said += data));
        if (at) done(Object.assign(server, { host: at[1], port: +at[2], url: `http://${at[1]}:${at[2]}` }));
      });
      server.exited.then((code) => fail(new Error(`the server ended with ${code}: ${server.errors}`)));
    });
  }
  /** Ends it; the exit code. */
  stop(signal = "SIGTERM") {
    this.process.kill(signal);
    return this.exited;
  }
  /** One request: its status, headers and body; `json` too where the body is that. */
  request(path, { method, body, headers = {} } = {}) {
    const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    const all = { ...(text === undefined ? {} : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) }), ...headers };
    return new Promise((done, fail) => {
      const asked = http.request(this.url + path, { method: method ?? (text === undefined ? "GET" : "POST"), headers: all, agent: false }, (reply) => {
        let said = "";
        reply.setEncoding("utf8");
        reply.on("data", (data) => (said += data));
        reply.on("error", fail);
        reply.on("end", () => {
          let json;
          try { json = JSON.parse(said); } catch { /* it is no JSON */ }
          done({ status: reply.statusCode, headers: reply.headers, body: said, json });
        });
      });
      asked.on("error", (error) => fail(new Error(`${error.message}: ${path} ${text?.slice(0, 200)}; the server: ${this.process.exitCode ?? this.process.signalCode ?? "runs"} ${this.errors}`)));
      asked.end(text);
    });
  }
  chat(body, headers) { return this.request("/v1/chat/completions", { body, headers }); }
  /** A request whose stream is read as it comes: `begun` and `over` are promises, `leave` cuts the connection. */
  stream(body, headers = {}) {
    const text = JSON.stringify({ stream: true, ...body });
    const call = { said: "", events: [], left: false };
    const asked = http.request(this.url + "/v1/chat/completions", { method: "POST", agent: false, headers: { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text), ...headers } });
    call.leave = () => { call.left = true; asked.destroy(); };
    call.begun = new Promise((done, fail) => {
      asked.on("response", (reply) => {
        call.status = reply.statusCode, call.headers = reply.headers;
        reply.setEncoding("utf8");
        reply.on("data", (data) => (call.said += data));
        call.over = new Promise((end) => reply.on("close", () => end(call)));
        done(call);
      });
      asked.on("error", (error) => (call.left ? done(call) : fail(error)));
    });
    asked.end(text);
    return call;
  }
  /** Bytes as they are; what came back until the server closed, or the time was over. */
  raw(bytes, milliseconds = 3000) {
    return new Promise((done) => {
      let said = "";
      const socket = net.connect(this.port, this.host, () => socket.write(bytes));
      socket.on("data", (data) => (said += data));
      socket.on("error", () => {});
      socket.on("close", () => done(said));
      setTimeout(() => socket.destroy(), milliseconds).unref();
    });
  }
  /** A number of /metrics; 0 when it is not there yet. */
  async metric(name) {
    const line = (await this.request("/metrics")).body.split("\n").find((one) => one.startsWith(name + " "));
    return line ? +line.slice(name.length + 1) : 0;
  }
  idle() { return until(async () => (await this.metric("dsvl_answers_working")) + (await this.metric("dsvl_answers_waiting")) === 0); }
  /** Resident memory, in MiB. */
  resident() { return +/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.process.pid}/status`, "utf8"))[1] / 1024; }
}

export const events = (said) => said.split("\n\n").filter((one) => one.startsWith("data: {")).map((one) => JSON.parse(one.slice(6)));
export const textOf = (said) => events(said).map((e) => e.choices?.[0]?.delta?.content ?? "").join("");
export const dataUri = (file, type = "image/png") => `data:${type};base64,${readFileSync(file).toString("base64")}`;
export const ask = (text, ...urls) => [{ role: "user", content: [...urls.map((url) => ({ type: "image_url", image_url: { url } })), { type: "text", text }] }];
/** Options of an answer that goes on as long as it may: the shipped model's end token is banned. */
export const endless = { logit_bias: { 534: -100 }, max_tokens: 800 };
