// On a phone the dashboard's rail is a strip that scrolls sideways: begin with the page that is shown in view.
"use strict";
document.querySelector(".rail.console [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
