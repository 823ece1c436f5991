// The check of the phone.
import { expect, test } from 'vitest';
import { account } from '../src/backend/samples';
import { part, put } from './stage';

test('the check is begun, told of as it goes on, and stopped', async () => {
  const { backend } = await put('settings-check');
  await part('check-start').click();
  expect(backend.sent.at(-1)).toEqual({ do: 'checkPhone', account: account().id });
  backend.emit({ what: 'check', view: { running: true, done: false, findings: [{ check: 'network', tried: '', seen: 'eth0', outcome: 'good', diagnosis: null }], cause: null } });
  await expect.element(part('check')).toHaveTextContent('Looking. 1 thing done.');
  await part('check-stop').click();
  expect(backend.sent.at(-1)).toEqual({ do: 'stopChecking' });
});

test('one cause is named, with what to do, above everything that was looked at', async () => {
  await put('settings-check-cause');
  await expect.element(part('check-cause')).toHaveTextContent(/UDP is blocked on the way.*Choose TLS or TCP/s);
  await expect.element(part('check')).toHaveTextContent(/UDP 198\.51\.100\.20:5060.*Not looked at, because: SIP over UDP/s);
});

test('where nothing is wrong, that is said', async () => {
  await put('settings-check-fine');
  await expect.element(part('check-cause')).toHaveTextContent('Nothing wrong was found.');
});

test('a bundle is made, read, and saved', async () => {
  const { backend } = await put('settings-check');
  await part('bundle-make').click();
  expect(backend.sent.at(-1)).toEqual({ do: 'makeBundle', shortenNumbers: true });
  await expect.element(part('bundle-save')).not.toBeInTheDocument();
  backend.emit({ what: 'bundle', view: { text: '# Versions\nCarillon\n', saved: null } });
  await expect.element(part('bundle').getByRole('region', { name: 'The bundle' })).toHaveTextContent('# Versions Carillon');
  await expect.element(part('bundle')).toHaveTextContent('2 lines');
  await part('bundle-save').click();
  expect(backend.sent.at(-1)).toEqual({ do: 'saveBundle' });
  backend.emit({ what: 'bundle', view: { text: '# Versions\nCarillon\n', saved: '/home/nora/b.txt' } });
  await expect.element(part('bundle')).toHaveTextContent('Saved as /home/nora/b.txt');
});
