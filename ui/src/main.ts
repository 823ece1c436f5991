import { mount } from 'svelte';
import App from './App.svelte';
import './styles/index.css';
import { Phone } from './phone.svelte';

async function start(): Promise<void> {
  // The scripted phone exists only on the developer's server; the product is built without it.
  if (import.meta.env.DEV && !('__TAURI_INTERNALS__' in window)) {
    const { startScene } = await import('./backend/stage');
    return startScene(new URLSearchParams(location.search));
  }
  const { tauri, windowName } = await import('./backend/tauri');
  const phone = new Phone(tauri);
  mount(App, { target: document.getElementById('app')!, props: { phone, window: windowName() } });
  await phone.follow();
}

void start();
