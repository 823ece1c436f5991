// Newer versions of the phone.
import { expect, test } from 'vitest';
import { noUpdates } from '../src/phone.svelte';
import { part, put } from './stage';

test('a newer version is fetched, and installed when no call is going on', async () => {
  const { backend } = await put('update-available');
  await expect.element(part('update-banner')).toHaveTextContent(/Version 1\.4\.0 is there\./);
  await expect.element(part('update-banner').getByRole('link')).toHaveAttribute('href', 'https://carillon.example/news');
  await part('update-fetch').click();
  expect(backend.sent.at(-1)).toEqual({ do: 'fetchUpdate' });
  const view = { ...noUpdates, version: '1.4.0', installable: true };
  backend.emit({ what: 'update', view: { ...view, state: 'fetching', percent: 41 } });
  await expect.element(part('update')).toHaveTextContent('41%');
  backend.emit({ what: 'update', view: { ...view, state: 'ready', percent: 100 } });
  await part('update-install').click();
  expect(backend.sent.at(-1)).toEqual({ do: 'installUpdate' });
});

test('whoever wants it later is left in peace', async () => {
  const { backend } = await put('update-available');
  await part('update-later').click();
  await expect.element(part('update-banner')).not.toBeInTheDocument();
  backend.emit({ what: 'update', view: { ...noUpdates, state: 'available', version: '1.5.0', installable: true } });
  await expect.element(part('update-banner')).toHaveTextContent('1.5.0');
});

test('where others install it, nothing is offered to be fetched', async () => {
  await put('update-elsewhere');
  await expect.element(part('update-banner')).toHaveTextContent(/Your administrator/);
  await expect.element(part('update-fetch')).not.toBeInTheDocument();
});

test('About says the version, looks on request, and says what failed', async () => {
  const { backend } = await put('settings-about');
  await expect.element(part('version')).toHaveTextContent(/^Version \d+\.\d+\.\d+$/);
  await part('update-look').click();
  expect(backend.sent.at(-1)).toEqual({ do: 'lookForUpdate' });
  backend.emit({ what: 'update', view: { ...noUpdates, state: 'failed', problem: { code: 'updateRefused', detail: 'changed', retryAfterS: null } } });
  await expect.element(part('update')).toHaveTextContent(/was not installed.*changed/s);
  await expect.element(part('update-look')).toBeInTheDocument();
});

test('where nobody may look, About says who brings newer versions', async () => {
  await put('settings-about-off');
  await expect.element(part('update')).toHaveTextContent('Newer versions come from your administrator.');
  await expect.element(part('update-look')).not.toBeInTheDocument();
});
