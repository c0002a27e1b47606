"""The proof that no customer meets a dead end, and the linters of journeys and texts. Pure: no database, no network.

What is proven
--------------
Things outside the house (`DEPENDENCIES`) may fail and come back between any two steps, in any order, any number of
times; another channel may pay the same bill, or fail to, at any moment; a hold may run out while a page is open. In
whatever position this brings a customer, let from then on *everything stay as it is, nothing be repaired*, with any set
of dependencies failed, at any hour, with the line in any state. Then:

1. **No dead end.** The customer can force the end of the journey, `paid` or `promised`, by a bounded number of answers,
   whatever every action answers among the outcomes that it declares for that world (`proof.force`). Nobody has to wait
   for anything: what may never come is never counted on, and a loop is no progress.
2. **No working way is out of reach.** Who owes and could be paid by a way that works at this hour can still get to
   `paid` (`proof.can`; here the provider has to say yes, or the customer to bring the money, so this is a possibility,
   not a guarantee). A debit is no such way: it ends in a date.
3. **A person is near.** From every page two answers at most lead to the place where a call back is asked for.
4. **Nobody is left to a conversation.** From every page of a bill the end can also be forced without a call back.
5. **Safety**, on every single move (`rules.SAFETY`): no second charge is offered or begun while one may move money, or
   when nothing is due; no `promised` without a stopped clock and a date; no `paid` without the money; no page says
   that no money was taken while it may have been; no empty list is offered; no outcome is without a way on;
   no action is run without the data that it takes; where to pay into is never shown while something else pays the
   bill, or has paid it; no way is offered while it is closed.
6. **No page needs scripts to be left.** One that runs a provider's script has a button of its own that leads on from
   it on any device (`rules.NO_SCRIPT`).

How
---
A *position* is all that a journey's moves can change: step, channel, the bill's money, hold, what the
session knows, tries, chosen way.
A *world* is what they cannot: failed dependencies, hour, line, dunning stage. All worlds are numbered, and a set of
worlds is one integer with a bit for each: where a move is possible, and where a position is won, are such integers, so
one pass over the positions decides every world at once (`worlds`, `game`, `proof`; the rules stand in `rules`).
Worlds that nothing in the journeys can tell apart (`worlds.likeness`: a lost webhook, the network's switch) are one
world with a weight; tests hold the game to reading nothing else of them.
A state is a position in a world. `planted` shows that the checker sees: each of its bugs must be found.

What is assumed
---------------
* The declarations (`declarations.ACTIONS`) are true of the real actions. Tests hold the two together.
* Our own database answers, and the page itself can be reached; otherwise no step runs at all.
* Other channels meddle finitely often: from each position they leave, the customer wins if left alone.
* A call back stops the clock until somebody has talked with the customer. After that, it is a person's decision.
* At `night` (here the half hour before midnight and the one after it) the banks are closed: no transfer, no account.
* A debit is instructed in our own rows; whoever carries it out may be away. Instructed, it is not in flight: other
  channels may pay, and it is recalled, or given back.
* A way that works is offered while its hours are open; one that has failed may be offered only while nobody probes.
"""
