import type { Student } from './student.ko';

export const student: Student = {};
