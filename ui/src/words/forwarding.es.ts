// Lo que se dice del desvío de llamadas.
import type { forwarding as english } from './forwarding.en';

export const forwarding: typeof english = {
  title: 'Desvío de llamadas',
  lead: 'Su centralita sigue estas reglas en todos sus teléfonos, también cuando este está apagado.',
  hours: 'Cuándo',
  office: 'En horario de oficina',
  outside: 'Fuera del horario de oficina',
  states: { available: 'Está disponible', busy: 'Está en una llamada', doNotDisturb: 'No molestar', away: 'Está ausente', lunch: 'Está comiendo', businessTrip: 'Está de viaje de trabajo', offline: 'Ningún teléfono está conectado', noAnswer: 'Nadie responde', noAnswerBusy: 'Nadie responde durante una llamada' },
  does: { ring: 'Sonar', voicemail: 'Enviar al buzón de voz', number: 'Enviar a un número', hangUp: 'Rechazar' },
  unset: 'Sin definir',
  number: (when: string) => `Número para «${when}»`,
  numberLabel: 'Número',
  after: 'Sonar durante',
  seconds: (n: number) => `${n} segundos`,
  unanswered: 'Si nadie responde',
  saving: 'Guardando…',
};
