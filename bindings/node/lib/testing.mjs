import testing from './testing.cjs';

export const {
  checkAdPlatform,
  checkCache,
  checkClickStore,
  checkCrm,
  checkProvider,
  checkRevenueStore,
  checkSecrets,
  checkStateStore,
  fakeProvider,
  frozenClock,
  useSandbox,
} = testing;
