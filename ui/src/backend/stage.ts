// Puts a scene on: `?scene=active-call&theme=dark&lang=de`; without a scene, the small PBX.
import { mount, unmount } from 'svelte';
import App from '../App.svelte';
import { Phone } from '../phone.svelte';
import { pretend, speak, systemLanguages } from '../words/index.svelte';
import { audio, noContacts, nothingPast, signIn } from './samples';
import { beginning, prepare, scenes, type Scene, type SceneName } from './scenes';
import { Scripted } from './scripted';
import { smallPbx } from './small-pbx';

let standing: object | null = null;

export async function startScene(asked: URLSearchParams): Promise<void> {
  // Pictures are taken of one scene after the other, without another page for each.
  Object.assign(window, { startScene: (search: string) => startScene(new URLSearchParams(search)) });
  if (standing) await unmount(standing);
  const root = document.documentElement;
  const theme = asked.get('theme');
  if (theme) root.dataset.theme = theme;
  else delete root.dataset.theme;
  const tongue = asked.get('lang');
  pretend(tongue ? [tongue] : navigator.languages);

  const name = asked.get('scene');
  const scene: Scene = name && Object.hasOwn(scenes, name) ? scenes[name as SceneName]() : { picture: { signIn: signIn(), accounts: [], calls: [], trusted: [], callPreferences: {}, voicePreferences: {}, watched: [], audio, history: nothingPast, hearBack: { is: 'idle' }, contacts: noContacts } };
  const backend = new Scripted(scene.picture, name ? undefined : smallPbx(), scene.people);
  const phone = new Phone(backend);
  prepare(phone, backend, scene);
  standing = mount(App, { target: document.getElementById('app')!, props: { phone, main: beginning(scene), window: scene.window } });
  await phone.follow();
  await speak([...phone.languages, ...systemLanguages()]);
  backend.emit(...(scene.events ?? []));
}
