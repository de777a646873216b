// Shows what failed, and how many passed.

export default async function* reporter(events) {
  let passed = 0;
  let skipped = 0;
  const failed = [];
  for await (const { type, data } of events) {
    if (type === 'test:pass') data.skip === undefined ? passed++ : skipped++;
    if (type === 'test:fail') {
      failed.push(data.name);
      const cause = data.details.error.cause ?? data.details.error;
      yield `FAIL ${data.name} (${data.file})\n${cause?.stack ?? cause}\n`;
    }
    if (type === 'test:stderr') yield data.message;
  }
  yield `${passed} passed, ${failed.length} failed, ${skipped} skipped\n`;
}
