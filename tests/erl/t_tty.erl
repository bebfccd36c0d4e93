%% releases: 27 29
%% modes: plain
%% What prim_tty says of characters and of strings for terminals.
-module(t_tty).
-include("diff.hrl").
-define(try_it(E), cr(fun() -> E end)).

%% Runs of code points with the same answer.
runs(F, From, To) -> runs(F, From + 1, To, From, F(From), []).

runs(_, N, To, Start, V, Acc) when N > To -> lists:reverse([{Start, V} | Acc]);
runs(F, N, To, Start, V, Acc) ->
    case F(N) of
        V -> runs(F, N + 1, To, Start, V, Acc);
        W -> runs(F, N + 1, To, N, W, [{Start, V} | Acc])
    end.

wide(Cs) -> << <<C:32/native>> || C <- Cs >>.

width(X) -> ?try_it(prim_tty:npwcwidth(X)).

has(F, A) -> erlang:function_exported(prim_tty, F, A).

goto(S, A, B) ->
    case has(tgoto, 3) of
        true -> kind(prim_tty:tgoto(S, A, B));
        false -> kind(prim_tty:tputs(S, [B, A]))
    end.

%% The reason of a failure is what the C library's errno happens to be.
kind({error, {F, _}}) -> {error, F};
kind(Other) -> Other.

cases() ->
    [{widths, fun() -> erlang:phash2(runs(fun(C) -> prim_tty:npwcwidth(C) end, 1, 16#10ffff)) end},
     {widths_bmp, fun() -> runs(fun(C) -> prim_tty:npwcwidth(C) end, 1, 16#ffff) end},
     {widths_odd, fun() -> [width(X) || X <- [0, -5, 16#110000, 1 bsl 31, 1 bsl 40, 1 bsl 70, a, 1.0]] end},
     {widths_latin1, fun() -> [prim_tty:npwcwidth(C, latin1) || C <- [$a, 200, 300, 1000]] end},
     {strings, fun() -> [?try_it(prim_tty:wcswidth(S)) || S <- [<<>>, wide("abc"), wide([16#4e00, $a]), wide([$a, 1]), wide([$a, 0, 1]), <<1, 2>>, [wide("a"), wide("b")], a, [256]]] end},
     {size, fun() -> prim_tty:sizeof_wchar() end},
     {isatty, fun() -> [?try_it(prim_tty:isatty(X)) || X <- [stdin, foo, 1]] end},
     {goto, fun() -> [{S, goto(S, 9, 4)} || S <- ["\e[%i%p1%d;%p2%dH", "%p1%{3}%*%'a'%+%c", "%p1%PA%gA%gA%+%d", "%p1%d%p2%d", "%d %d", "%i%d;%d", "", "%%", "abc%"]] end},
     {conditions, fun() -> [{N, goto("%?%p1%{8}%<%t3%p1%d%e%p1%{16}%<%t9%p1%{8}%-%d%e38;5;%p1%d%;m", 0, N)} || N <- [0, 7, 8, 15, 16, 255]] end},
     {operations, fun() -> [{S, goto("%p2%p1%" ++ S ++ "%d", 6, 4)} || S <- ["+", "-", "*", "/", "m", "&", "|", "^", "=", "<", ">", "A", "O"]] end},
     {by_zero, fun() -> [goto("%p1%p2%" ++ S ++ "%d", 0, 4) || S <- ["/", "m"]] end},
     {unary, fun() -> [goto("%p1%" ++ S ++ "%d", 0, 4) || S <- ["!", "~"]] end},
     {formats, fun() -> [{S, goto("%p1%" ++ S ++ "|", 0, 42)} || S <- ["5d", ":-5d", "05d", ".3x", "10.3d", "#x", "#o", "X", "o", " d", "c"]] end},
     {negative, fun() -> [goto("%p1%" ++ S ++ "|", 0, -42) || S <- ["d", "5d", "05d", "x"]] end},
     {delays, fun() -> [{S, goto(S, 0, 0)} || S <- ["a$<5>b", "a$<5*/>b", "a$<1.5>b", "a$<x>b", "a$$<5>b", "a$<5"]] end},
     {text_wanted, fun() -> goto("%p1%s", 1, 2) end},
     {bad, fun() -> [?try_it(goto(S, A, B)) || {S, A, B} <- [{a, 1, 2}, {"%p1%d", a, 1}, {"%p1%d", 1 bsl 70, 1}]] end}].
