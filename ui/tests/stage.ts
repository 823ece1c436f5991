// Puts the real App before a scripted phone, as a test needs it.
import { page } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import App from '../src/App.svelte';
import { audio, noContacts, nothingPast, signIn } from '../src/backend/samples';
import { beginning, prepare, scenes, type Scene, type SceneName } from '../src/backend/scenes';
import { Scripted, type Script } from '../src/backend/scripted';
import type { SignInView } from '../src/backend/backend';
import { Phone } from '../src/phone.svelte';
import { speak, systemLanguages } from '../src/words/index.svelte';
import '../src/styles/index.css';

export type Stage = { backend: Scripted; phone: Phone };

async function raise(scene: Scene, script?: Script): Promise<Stage> {
  const backend = new Scripted(scene.picture, script, scene.people);
  const phone = new Phone(backend);
  prepare(phone, backend, scene);
  await render(App, { phone, main: beginning(scene), window: scene.window });
  await phone.follow();
  await speak([...phone.languages, ...systemLanguages()]);
  backend.emit(...(scene.events ?? []));
  return { backend, phone };
}

/** One of the scenes, with nobody answering commands. */
export const put = (name: SceneName): Promise<Stage> => raise(scenes[name]());

/** The wizard from the start, with a script that answers. */
export const begin = (script: Script, change: Partial<SignInView> = {}): Promise<Stage> => raise({ picture: { signIn: signIn(change), accounts: [], calls: [], trusted: [], callPreferences: {}, voicePreferences: {}, watched: [], audio, history: nothingPast, hearBack: { is: 'idle' }, contacts: noContacts } }, script);

/** An element by its name in the tests. */
export const part = (name: string) => page.getByTestId(name);

/** The element that has the focus, by its name in the tests. */
export const focused = () => (document.activeElement as HTMLElement | null)?.dataset.testid ?? null;
