// What goes wrong is a class by its status, with the fields of the server's problem document.

import { APIConnectionError, BadRequestError, NotFoundError, Oz, RateLimitError } from 'oz-sdk';

const client = new Oz({ maxRetries: 1, timeout: 10_000 });
try {
  await client.schedules.create({ name: 'nightly', cron_schedule: 'every day', prompt: 'tidy up' });
} catch (error) {
  if (error instanceof BadRequestError) console.log(`${error.field ?? 'request'}: ${error.detail ?? ''}`);
  else if (error instanceof NotFoundError) console.log('there is no such thing');
  else if (error instanceof RateLimitError) console.log(`again in ${error.retryAfter ?? 1} s`);
  else if (error instanceof APIConnectionError) console.log('nobody is there');
  else throw error;
}
