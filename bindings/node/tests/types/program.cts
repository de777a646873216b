import xynergy = require('xynergy');
import testing = require('xynergy/testing');
const client: xynergy.Client = new xynergy.Client({ providers: { mine: testing.fakeProvider() } });
void client.health().then((h) => h.status);
