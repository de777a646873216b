// The same objects as `require` gives: there is one implementation.
import xynergy from './index.cjs';

export const { Client, Scope, ChatStream, ManualClock, Sandbox, XynergyError, sandbox, setLogLevel, toJson, version } = xynergy;
export default xynergy;
