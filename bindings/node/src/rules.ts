// The core's rules, asked and not repeated.

import { addon } from './addon.js';
import type { RunState } from './generated/types.js';
import { checked } from './transport.js';

/** Whether a run may go from one state to another, by the state machine that the server itself uses. */
export function canTransition(from: RunState, to: RunState): boolean {
  return checked(() => addon().canTransition(from, to));
}

/** The state that follows when a cause, such as `claim` or `follow_up`, happens to a run. Throws when it can't happen. */
export function nextState(from: RunState, cause: string): RunState {
  return checked(() => addon().nextState(from, cause));
}

/**
 * Checks a value against a type of the core by name, such as `AgentConfig` or `CreateRun`, and gives it back as the core
 * reads it.
 *
 * Throws a `BadRequestError` that names the field, the value and what would be right.
 */
export function validate<T = unknown>(type: string, value: unknown): T {
  return checked(() => JSON.parse(addon().validate(type, JSON.stringify(value ?? null)))) as T;
}
