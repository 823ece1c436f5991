// 关于自己状态的话。
import type { presence as english } from './presence.en';

export const presence: typeof english = {
  title: '您的状态',
  choices: { available: '有空', away: '离开', lunch: '午餐', businessTrip: '出差', doNotDisturb: '请勿打扰' },
  addNote: '添加备注…',
  noteTitle: '状态旁的备注',
  note: '备注',
  noteHint: '同事会在您的名字旁看到它。不需要时请留空。',
  cancel: '取消',
  save: '保存',
};
