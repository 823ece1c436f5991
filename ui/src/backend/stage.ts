// Puts a scene on: `?scene=active-call&theme=dark&lang=de&dir=rtl`; without a scene, the small PBX.
import { mount } from 'svelte';
import App from '../App.svelte';
import { Phone } from '../phone.svelte';
import { firstOf, speak } from '../words/index.svelte';
import { audio, noContacts, nothingPast, signIn } from './samples';
import { beginning, prepare, scenes, type Scene, type SceneName } from './scenes';
import { Scripted } from './scripted';
import { smallPbx } from './small-pbx';

export async function startScene(asked: URLSearchParams): Promise<void> {
  const root = document.documentElement;
  for (const [name, attribute] of [['theme', 'data-theme'], ['dir', 'dir']] as const) {
    const value = asked.get(name);
    if (value) root.setAttribute(attribute, value);
  }
  const tongue = asked.get('lang');
  if (tongue) speak(firstOf([tongue]));

  const name = asked.get('scene');
  const scene: Scene = name && Object.hasOwn(scenes, name) ? scenes[name as SceneName]() : { picture: { signIn: signIn(), accounts: [], calls: [], trusted: [], callPreferences: {}, voicePreferences: {}, watched: [], audio, history: nothingPast, hearBack: { is: 'idle' }, contacts: noContacts } };
  const backend = new Scripted(scene.picture, name ? undefined : smallPbx(), scene.people);
  const phone = new Phone(backend);
  prepare(phone, scene);
  mount(App, { target: document.getElementById('app')!, props: { phone, main: beginning(scene), window: scene.window } });
  await phone.follow();
  backend.emit(...(scene.events ?? []));
}
