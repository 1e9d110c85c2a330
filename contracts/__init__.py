"""What services and integrators say to each other. Pure data: importing it does no I/O.

`envelope` is the outside of a message (CloudEvents 1.0), `vocabulary` the codes and quantities both sides use,
`submissions` what integrators claim, `events` what services state as facts, `topics` where each of them travels,
`figures` the shape of what a service publishes.
"""
