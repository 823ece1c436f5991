// Lo que se dice de la privacidad.
import type { privacy as english } from './privacy.en';

export const privacy: typeof english = {
  title: 'Privacidad',
  keep: 'Conservar las llamadas',
  spans: { always: 'Mientras haya sitio', year: 'Un año', quarter: '90 días', month: '30 días' },
  keepTitle: (span: string) => `¿Limitar la conservación: ${span.toLowerCase()}?`,
  keepBody: 'Las llamadas anteriores se borran de la lista. No se puede deshacer.',
  forget: 'Borrar las anteriores',
  others: 'Lo que saben los demás',
  screen: 'En esta pantalla',
  names: 'Decir quién llama en las notificaciones',
  namesHint: 'Si no, solo dicen que hay una llamada.',
  contacts: 'Contactos',
  computer: 'Mostrar los contactos de este ordenador',
  computerHint: 'Salen de su libreta de direcciones y se quedan aquí: ni la centralita ni sus otros teléfonos los reciben.',
  computerLoading: 'Leyendo la libreta de direcciones…',
};
