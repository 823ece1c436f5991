// 关于隐私的文字。
import type { privacy as english } from './privacy.en';

export const privacy: typeof english = {
  title: '隐私',
  keep: '保留通话记录',
  spans: { always: '空间允许时一直保留', year: '一年', quarter: '90 天', month: '30 天' },
  keepTitle: (span: string) => `仅保留${span}的通话？`,
  keepBody: '更早的通话会从记录中删除。此操作无法撤销。',
  forget: '删除更早的通话',
  others: '他人能知道的',
  screen: '在此屏幕上',
  names: '在通知中显示来电者',
  namesHint: '否则只提示有来电。',
  contacts: '联系人',
  computer: '显示此电脑的联系人',
  computerHint: '来自本机通讯录，仅保留在这里，不会传给 PBX 或您的其他话机。',
  computerLoading: '正在读取通讯录…',
};
