// The Vercel AI SDK takes the provider by its own types.

import { generateText, streamText } from 'ai';
import { Client, sandbox } from 'xynergy';
import { xynergyProvider } from 'xynergy/ai-sdk';

const served = await sandbox.start();
const client = new Client({ config: served.config, secrets: served.secrets });
const xynergy = xynergyProvider(client.scope({ tenant: 'acme' }));
const { text } = await generateText({ model: xynergy(), prompt: 'hello' });
console.log(text);
for await (const delta of streamText({ model: xynergy.languageModel('gpt-4o-mini'), prompt: 'hello' }).textStream) console.log(delta);
await client.close();
await served.stop();
