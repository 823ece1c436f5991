// What is said of the diagnostic bundle.
import type { bundle as english } from './bundle.en';

export const bundle: typeof english = {
  title: 'Informe de diagnóstico',
  hint: 'Todo lo que necesita el soporte, como texto: versiones, ajustes, llamadas, mensajes SIP, registro técnico. No contiene contraseñas ni tokens. Léalo antes de entregarlo.',
  shorten: 'Acortar los números',
  make: 'Crear',
  again: 'Crear de nuevo',
  text: 'El informe',
  save: 'Guardar',
  copy: 'Copiar el informe',
  saved: (path) => `Guardado como ${path}`,
  size: (lines) => `${lines} líneas`,
};
