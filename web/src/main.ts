import { mount } from "svelte";

import "./page.css";
import App from "./App.svelte";
import { theme } from "./lib/theme.svelte";

theme.start();
const target = document.getElementById("page");
if (target) mount(App, { target });
