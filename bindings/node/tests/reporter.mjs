// Shows what failed, and how many passed.

export default async function* reporter(events) {
  let passed = 0;
  let skipped = 0;
  const failed = [];
  const said = [];
  for await (const { type, data } of events) {
    if (type === 'test:pass') data.skip === undefined ? passed++ : skipped++;
    if (type === 'test:fail') {
      failed.push(data.name);
      const cause = data.details.error.cause ?? data.details.error;
      yield `FAIL ${data.name} (${data.file})\n${cause?.stack ?? cause}\n`;
    }
    if (type === 'test:stderr') said.push(data.message);
  }
  // Many tests provoke warnings.
  if (failed.length > 0) yield* said;
  yield `${passed} passed, ${failed.length} failed, ${skipped} skipped\n`;
}
