"""An independent reading of the policy in plain Python, and the quarters to compare it with the engine on."""
