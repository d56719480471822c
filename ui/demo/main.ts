/** The front page of `lockerd demo`. It is no part of the app: `lockerd serve` has nothing of it. */
import '../src/app.css';
import { mount } from 'svelte';
import Demo from './Demo.svelte';

const target = document.getElementById('app');
if (target) mount(Demo, { target });
