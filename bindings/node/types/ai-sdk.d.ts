import type { LanguageModelV3, ProviderV3 } from '@ai-sdk/provider';
import type { Areas } from './index.js';

/** A provider of the Vercel AI SDK. */
export interface XynergyProvider extends ProviderV3 {
  /** The model of this id; without one the router chooses. */
  (modelId?: string): LanguageModelV3;
  languageModel(modelId?: string): LanguageModelV3;
}

/** The provider of a client, or of a scope of it. */
export function xynergyProvider(client: Areas): XynergyProvider;
