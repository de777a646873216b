import aiSdk from './ai-sdk.cjs';

export const { xynergyProvider } = aiSdk;
