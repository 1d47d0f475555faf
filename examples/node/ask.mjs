// Asks a question about a picture, and shows the answer as it comes.
//   node ask.mjs MODEL PICTURE QUESTION
import { DsvlError, Model, plan } from "./dsvl.mjs";

const [path, picture, question] = process.argv.slice(2);
if (!question) {
  console.error("usage: node ask.mjs MODEL PICTURE QUESTION");
  process.exit(2);
}
try {
  console.error(`${(Number(plan(path).peak) / 1e6).toFixed(1)} MB at most`);
  const model = await Model.load(path), session = model.session();
  for await (const text of session.stream(question, picture)) process.stdout.write(text);
  process.stdout.write("\n");
  session.close();
  model.close();
} catch (error) {
  if (!(error instanceof DsvlError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 1;
}
