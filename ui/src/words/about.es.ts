// What is said of the phone itself and of newer versions.
import type { about as english } from './about.en';

export const about: typeof english = {
  title: 'Acerca de',
  version: (version) => `Versión ${version}`,
  look: 'Buscar una versión nueva',
  looking: 'Buscando una versión nueva…',
  current: 'Es la versión más reciente.',
  unknown: 'Se busca una versión nueva una vez al día.',
  off: 'Las versiones nuevas vienen de su administrador.',
  available: (version) => `La versión ${version} está disponible.`,
  byOthers: 'La tiene su administrador o el sitio de donde viene el teléfono.',
  whatIsNew: 'Novedades',
  fetch: 'Descargar',
  fetching: (percent) => `Descargando: ${percent}`,
  ready: (version) => `La versión ${version} está lista para instalarse.`,
  install: 'Instalar ahora',
  notInCall: 'Podrá instalarse cuando termine su llamada.',
  installing: 'La instalación ha empezado. Es posible que el teléfono se cierre.',
  replaced: 'La versión más reciente está lista. Se usará la próxima vez que inicie el teléfono.',
  later: 'Más tarde',
};
