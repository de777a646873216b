import testing from './testing.cjs';

export const {
  checkAdPlatform,
  checkCache,
  checkClickStore,
  checkCrm,
  checkProvider,
  checkEmbedder,
  checkRevenueStore,
  checkSecrets,
  checkStateStore,
  fakeProvider,
  frozenClock,
  useSandbox,
} = testing;
