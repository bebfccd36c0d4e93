-module(bad).
-export([f/1, g/0]).
f(X) -> Y.
h( -> ok.
